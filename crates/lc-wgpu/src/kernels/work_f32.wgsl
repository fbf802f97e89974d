// The type that products are made in.
alias Work = f32;

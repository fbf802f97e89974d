// The type of the elements in memory.
alias Element = f32;

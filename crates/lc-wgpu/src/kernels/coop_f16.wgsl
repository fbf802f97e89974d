enable f16;
enable wgpu_cooperative_matrix;
// The type of the elements in memory, and the one that products are made in.
alias Element = f16;
alias Work = f16;

enable f16;
// The type of the elements in memory.
alias Element = f16;

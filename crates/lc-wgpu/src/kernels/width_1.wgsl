// One element at a time.
alias Wide = f32;
alias Stored = Element;

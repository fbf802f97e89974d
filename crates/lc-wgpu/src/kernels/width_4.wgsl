// Four elements at a time.
alias Wide = vec4<f32>;
alias Stored = vec4<Element>;

// Rows read one element at a time: of any extent and at any address.
alias Wide = f32;
const WIDTH = 1u;

fn total(x: Wide) -> f32 {
    return x;
}

fn widest(x: Wide) -> f32 {
    return x;
}

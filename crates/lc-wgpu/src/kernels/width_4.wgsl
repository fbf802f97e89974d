// Rows read four elements at a time: of an extent and at addresses that are multiples of four.
alias Wide = vec4<f32>;
const WIDTH = 4u;

fn total(x: Wide) -> f32 {
    return (x.x + x.y) + (x.z + x.w);
}

fn widest(x: Wide) -> f32 {
    return max(max(x.x, x.y), max(x.z, x.w));
}

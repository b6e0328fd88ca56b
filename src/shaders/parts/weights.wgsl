// Goes before linear.wgsl and vocabulary.wgsl, behind their numbers: weights as the kernel's `weight`
// has them, in BITS bits each.

/// Four weights of each of four columns, a row of W a matrix column: inputs 4k to 4k + 3.
fn block(k: u32, column: u32, stride: u32) -> mat4x4<Number> {
  if BITS == 8 {
    let rows = weight[k * stride + column];
    return mat4x4<Number>(
      vec4<Number>(unpack4xI8(rows.x)),
      vec4<Number>(unpack4xI8(rows.y)),
      vec4<Number>(unpack4xI8(rows.z)),
      vec4<Number>(unpack4xI8(rows.w)),
    );
  }
  if BITS == 16 {
    let at = 2 * k * stride + column;
    let two = weight[at];
    let next = weight[at + stride];
    return mat4x4<Number>(
      vec4<Number>(halves(two.x), halves(two.y)),
      vec4<Number>(halves(two.z), halves(two.w)),
      vec4<Number>(halves(next.x), halves(next.y)),
      vec4<Number>(halves(next.z), halves(next.w)),
    );
  }
  let at = 4 * k * stride + column;
  return mat4x4<Number>(
    vec4<Number>(bitcast<vec4f>(weight[at])),
    vec4<Number>(bitcast<vec4f>(weight[at + stride])),
    vec4<Number>(bitcast<vec4f>(weight[at + 2 * stride])),
    vec4<Number>(bitcast<vec4f>(weight[at + 3 * stride])),
  );
}


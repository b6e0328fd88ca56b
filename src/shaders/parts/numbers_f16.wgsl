// Goes before linear.wgsl and vocabulary.wgsl: their products in f16, for adapters that have
// `shader-f16`. Its twin is numbers_f32.wgsl.
enable f16;

/// What products are computed in.
alias Number = f16;

/// Groups of four inputs whose products are added up in Number before they join the sum in f32: a sum of
/// f16 loses digits as it grows.
const RUN = 4u;

/// The two f16 numbers of 32 bits.
fn halves(bits: u32) -> vec2<Number> {
  return bitcast<vec2<f16>>(bits);
}


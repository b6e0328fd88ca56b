// Goes before linear.wgsl and vocabulary.wgsl: their products in f32. Its twin is numbers_f16.wgsl.

/// What products are computed in.
alias Number = f32;

/// Groups of four inputs whose products are added up in Number before they join the sum: all.
const RUN = 1u << 24;

/// The two f16 numbers of 32 bits.
fn halves(bits: u32) -> vec2<Number> {
  return unpack2x16float(bits);
}


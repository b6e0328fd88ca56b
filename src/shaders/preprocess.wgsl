// From an image's bytes to what the vision network takes: laid on white, squashed to SIZE × SIZE,
// colours normalised.
//
// The filter is a triangle that widens when the image shrinks, so that every pixel counts: what
// Pillow calls BILINEAR. Both directions are summed at once. Across and down one after the other
// would read half as much when the image shrinks, but needs a second dispatch and a buffer that
// grows with the image.
//
// onnxruntime takes an image as three planes, our own kernels as the patches that their first product is
// over: 3 × 3 pixels at every second one, padded as TensorFlow's SAME. A pixel is in up to four.
//
// Dispatch: (ceil(SIZE / 8), ceil(SIZE / 8), 1).

/// Width and height of the result.
override SIZE: u32;
/// Whether the result is patches, not planes.
override PATCHES: bool = false;

/// Patches of the result's side.
override OUT = (SIZE + 1) / 2;
/// Rows and columns of zeros in front.
override BEFORE = ((OUT - 1) * 2 + 3 - SIZE) / 2;
/// Numbers of a patch: three colours of nine pixels, and a zero.
const PATCH = 28u;

struct Image {
  width: u32,
  height: u32,
  /// Where in the batch the result goes.
  index: u32,
}

struct Colours {
  /// Red, green, blue, in 0…1; the fourth component is not read.
  mean: vec4f,
  deviation: vec4f,
}

@group(0) @binding(0) var<uniform> image: Image;
@group(0) @binding(1) var<uniform> colours: Colours;
/// [height, width], red in the low byte, alpha in the high one and not multiplied in.
@group(0) @binding(2) var<storage, read> rgba: array<u32>;
/// [batch, 3, SIZE, SIZE], or [batch, OUT, OUT, PATCH], whose padding is there: zeros
@group(0) @binding(3) var<storage, read_write> pixels: array<f32>;

/// The inputs that one output sums, along one direction.
struct Taps {
  centre: f32,
  support: f32,
  first: u32,
  end: u32,
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) output: vec3u) {
  if output.x >= SIZE || output.y >= SIZE {
    return;
  }
  let across = taps(output.x, image.width);
  let down = taps(output.y, image.height);
  var sum = vec3f();
  var total = 0f;
  for (var y = down.first; y < down.end; y++) {
    let row_weight = weight(down, y);
    for (var x = across.first; x < across.end; x++) {
      let w = row_weight * weight(across, x);
      let colour = unpack4x8unorm(rgba[y * image.width + x]);
      sum += w * (colour.rgb * colour.a + (1 - colour.a));
      total += w;
    }
  }
  let normalised = (sum / total - colours.mean.rgb) / colours.deviation.rgb;
  if PATCHES {
    write_patches(output.xy + BEFORE, normalised);
    return;
  }
  for (var c = 0u; c < 3; c++) {
    pixels[((image.index * 3 + c) * SIZE + output.y) * SIZE + output.x] = normalised[c];
  }
}

/// Writes a pixel of the padded image wherever a patch has it.
fn write_patches(pixel: vec2u, colour: vec3f) {
  for (var i = 0u; i < 4; i++) {
    // The patch that starts at the pixel or one before, and the one in front of it.
    let patch_at = pixel / 2 - vec2u(i % 2, i / 2);
    let place = pixel - 2 * patch_at;
    if any(patch_at >= vec2u(OUT)) || any(place > vec2u(2)) {
      continue;
    }
    let start = ((image.index * OUT + patch_at.y) * OUT + patch_at.x) * PATCH;
    let at = start + (place.y * 3 + place.x) * 3;
    pixels[at] = colour.r;
    pixels[at + 1] = colour.g;
    pixels[at + 2] = colour.b;
  }
}

fn taps(output: u32, inputs: u32) -> Taps {
  let scale = f32(inputs) / f32(SIZE);
  let support = max(scale, 1);
  let centre = (f32(output) + 0.5) * scale;
  let first = u32(max(centre - support + 0.5, 0));
  let end = min(u32(centre + support + 0.5), inputs);
  return Taps(centre, support, first, end);
}

/// The triangle at the centre of an input.
fn weight(t: Taps, input: u32) -> f32 {
  return max(0, 1 - abs(f32(input) + 0.5 - t.centre) / t.support);
}

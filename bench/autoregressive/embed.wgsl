// The decoder's next input: of each text the word that it chose last, and where it stands.
//
// Dispatch: (ceil(WIDTH / 4 / 64), rows, 1).

/// Numbers in a row; a multiple of 4.
override WIDTH: u32;
/// The word before the first.
override START: u32;
/// u32 numbers of a choice, of which the first is its word.
override CHOICE: u32;

const LANES = 64u;

struct Sizes {
  /// Words before this one.
  position: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [rows, CHOICE]: what was chosen at the position before; not read at the first.
@group(0) @binding(1) var<storage, read> choices: array<u32>;
/// [vocabulary, WIDTH]
@group(0) @binding(2) var<storage, read> words: array<vec4f>;
/// [positions, WIDTH]
@group(0) @binding(3) var<storage, read> positions: array<vec4f>;
/// [rows, WIDTH]
@group(0) @binding(4) var<storage, read_write> x: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  let row = id.y;
  let width = WIDTH / 4;
  if column >= width {
    return;
  }
  var word = START;
  if sizes.position > 0 {
    word = choices[row * CHOICE];
  }
  let place = positions[sizes.position * width + column];
  x[row * width + column] = words[word * width + column] * sqrt(f32(WIDTH)) + place;
}

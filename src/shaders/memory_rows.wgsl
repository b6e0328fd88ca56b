// What fusion begins with, a row of the memory each: the cells of the image, the pieces of the names that
// it is told, and the words of the prompt; each normalised and given its position.
//
// A row of a name also says how likely its class is, and a row of a word how much evidence there is that it
// is seen: each gains that times a vector of `constants`.
//
// Dispatch: (rows of the memory, batch, 1), a workgroup a row.

/// Numbers of a row; a multiple of 4.
override WIDTH: u32;
/// Rows of cells, and of cells and names; words are behind.
override CELLS: u32;
override SEEN: u32;
/// Pieces of a name; SEEN − CELLS is a multiple of it.
override PIECES: u32 = 1;
/// Rows of words.
override WORDS: u32;
override EPSILON: f32 = 1e-5;
/// Tokens that there is evidence for; 0 if there is none.
override VOCABULARY: u32 = 0;
/// Lanes of a workgroup.
override LANES: u32 = 64;

/// A class that an image may show, as classes.wgsl writes it.
struct Told {
  id: u32,
  likely: f32,
}

/// [batch, CELLS, WIDTH]
@group(0) @binding(0) var<storage, read> cells: array<vec4f>;
/// [batch, (SEEN − CELLS) / PIECES]; not read if that is none
@group(0) @binding(1) var<storage, read> told: array<Told>;
/// [classes, PIECES] token ids; not read if there are no names
@group(0) @binding(2) var<storage, read> names: array<u32>;
/// [WORDS] token ids, the same for all images
@group(0) @binding(3) var<storage, read> prompt: array<u32>;
/// [vocabulary, WIDTH]
@group(0) @binding(4) var<storage, read> embeddings: array<vec4f>;
/// [SEEN + WORDS + 9, WIDTH]: the rows' positions; gain and bias for cells, for names and for words; what a
/// likelihood of 1 adds, what a nat of evidence for a word does and what a nat against it takes away
@group(0) @binding(5) var<storage, read> constants: array<vec4f>;
/// [batch, VOCABULARY]; not read if that is 0
@group(0) @binding(6) var<storage, read> evidence: array<f32>;
/// [batch, SEEN + WORDS, WIDTH]
@group(0) @binding(7) var<storage, read_write> y: array<vec4f>;

const CELL = 0u;
const NAME = 1u;
const WORD = 2u;
/// Rows of `constants` behind the positions.
const SURE = 6u;
const THERE = 7u;
const MISSING = 8u;

/// Where a row's numbers come from.
struct Source {
  kind: u32,
  /// First vec4, of `cells` or of `embeddings`.
  start: u32,
  /// How much it gains, and which vector of `constants` behind the positions.
  share: f32,
  gains: u32,
}

var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  let image = workgroup.y;
  let depth = WIDTH / 4;
  let source = source_of(row, image);
  // Shifting the row by one of its numbers takes out a mean that would cost the rest its digits.
  let shift = numbers_at(source, 0).x;
  var sum = 0f;
  for (var i = lane; i < depth; i += LANES) {
    sum += dot(numbers_at(source, i) - shift, vec4f(1));
  }
  let mean = shift + sum_over_lanes(sum, lane) / f32(WIDTH);
  sum = 0;
  for (var i = lane; i < depth; i += LANES) {
    let centred = numbers_at(source, i) - mean;
    sum += dot(centred, centred);
  }
  let scale = inverseSqrt(sum_over_lanes(sum, lane) / f32(WIDTH) + EPSILON);
  let gain = (SEEN + WORDS + 2 * source.kind) * depth;
  let gained = (SEEN + WORDS + source.gains) * depth;
  for (var i = lane; i < depth; i += LANES) {
    let centred = numbers_at(source, i) - mean;
    let normalised = centred * scale * constants[gain + i] + constants[gain + depth + i];
    let said = source.share * constants[gained + i];
    y[(image * (SEEN + WORDS) + row) * depth + i] = normalised + constants[row * depth + i] + said;
  }
}

fn source_of(row: u32, image: u32) -> Source {
  let depth = WIDTH / 4;
  if row < CELLS {
    return Source(CELL, (image * CELLS + row) * depth, 0, SURE);
  }
  if row < SEEN {
    let piece = row - CELLS;
    let said = told[image * ((SEEN - CELLS) / PIECES) + piece / PIECES];
    return Source(NAME, names[said.id * PIECES + piece % PIECES] * depth, said.likely, SURE);
  }
  let token = prompt[row - SEEN];
  var seen = 0f;
  if VOCABULARY > 0 {
    seen = evidence[image * VOCABULARY + token];
  }
  return Source(WORD, token * depth, seen, select(MISSING, THERE, seen > 0));
}

fn numbers_at(source: Source, i: u32) -> vec4f {
  if source.kind == CELL {
    return cells[source.start + i];
  }
  return embeddings[source.start + i];
}

/// The sum of every lane's part, the same in every lane.
fn sum_over_lanes(part: f32, lane: u32) -> f32 {
  // The barrier in front lets every lane finish reading the parts of the sum before.
  workgroupBarrier();
  parts[lane] = part;
  workgroupBarrier();
  var sum = 0f;
  for (var i = 0u; i < LANES; i++) {
    sum += parts[i];
  }
  return sum;
}

// Where in a photo a prompt's phrase is: log odds of each cell, the sum over the prompt's tokens of their rows
// of a table times what the cell comes to.
//
// The sum of rows times a cell is the same as the sum of rows' products, so that the rows are added up first,
// once for all cells.
//
// Dispatch: (1, batch, 1), a workgroup an image: its lanes share out the units, and then the cells.

/// Cells of an image.
override CELLS: u32;
/// Numbers of a cell and of a row of the table; a multiple of 4.
override UNITS: u32;
/// Tokens of the prompt, padding included, whose row is zeros.
override WORDS: u32;
/// Lanes of a workgroup.
override LANES: u32 = 64;

/// [batch, CELLS, UNITS]
@group(0) @binding(0) var<storage, read> units: array<vec4f>;
/// [WORDS] token ids, the same for all images
@group(0) @binding(1) var<storage, read> prompt: array<u32>;
/// [vocabulary, UNITS]
@group(0) @binding(2) var<storage, read> table: array<vec4f>;
/// [CELLS]: log odds before anything is asked
@group(0) @binding(3) var<storage, read> prior: array<f32>;
/// [batch, CELLS]
@group(0) @binding(4) var<storage, read_write> places: array<f32>;

/// The sum of the prompt's rows.
var<workgroup> phrase: array<vec4f, UNITS / 4>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let image = workgroup.y;
  let depth = UNITS / 4;
  for (var i = lane; i < depth; i += LANES) {
    var sum = vec4f();
    for (var word = 0u; word < WORDS; word++) {
      sum += table[prompt[word] * depth + i];
    }
    phrase[i] = sum;
  }
  workgroupBarrier();
  for (var cell = lane; cell < CELLS; cell += LANES) {
    let row = image * CELLS + cell;
    var odds = prior[cell];
    for (var i = 0u; i < depth; i++) {
      odds += dot(phrase[i], units[row * depth + i]);
    }
    places[row] = odds;
  }
}

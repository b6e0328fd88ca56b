// What a classifier says: the softmax of each cell's logits, and the likeliest classes of the whole image
// by the softmax of their mean.
//
// Behind parts/best_shared.wgsl, which finds the best candidate of all lanes, and candidates.wgsl.
//
// Dispatch: (CELLS + 1, batch, 1), a workgroup a cell and one for the image.

/// Cells of an image.
override CELLS: u32;
/// A multiple of 4.
override CLASSES: u32;
/// Classes that are told of an image.
override TOP: u32 = 3;
/// Numbers from one row of features to the next one's, and where in a row the softmax goes; multiples of 4.
override STRIDE: u32;
override OFFSET: u32;
/// Lanes of a workgroup.
override LANES: u32 = 64;

/// A class that an image may show.
struct Told {
  id: u32,
  likely: f32,
}

/// [batch, CELLS, CLASSES]
@group(0) @binding(0) var<storage, read> logits: array<vec4f>;
/// [batch, CELLS, STRIDE]
@group(0) @binding(1) var<storage, read_write> features: array<vec4f>;
/// [batch, TOP], likeliest first; of equals, the lower id first.
@group(0) @binding(2) var<storage, read_write> told: array<Told>;

/// The logits of this workgroup's cell, or their mean; each lane reads back what it wrote.
var<workgroup> row: array<vec4f, CLASSES / 4>;
var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let cell = workgroup.x;
  let image = workgroup.y;
  var own = LOWEST;
  for (var i = lane; i < CLASSES / 4; i += LANES) {
    row[i] = logits_of(image, cell, i);
    own = max(own, max(max(row[i].x, row[i].y), max(row[i].z, row[i].w)));
  }
  parts[lane] = own;
  workgroupBarrier();
  var largest = LOWEST;
  for (var i = 0u; i < LANES; i++) {
    largest = max(largest, parts[i]);
  }
  workgroupBarrier();
  var sum = 0f;
  for (var i = lane; i < CLASSES / 4; i += LANES) {
    sum += dot(exp(row[i] - largest), vec4f(1));
  }
  parts[lane] = sum;
  workgroupBarrier();
  var total = 0f;
  for (var i = 0u; i < LANES; i++) {
    total += parts[i];
  }
  if cell < CELLS {
    let start = ((image * CELLS + cell) * STRIDE + OFFSET) / 4;
    for (var i = lane; i < CLASSES / 4; i += LANES) {
      features[start + i] = exp(row[i] - largest) / total;
    }
    return;
  }
  // Before every class, so that the first round may choose any.
  var last = Candidate(0, 3.4e38);
  for (var round = 0u; round < TOP; round++) {
    var own_best = Candidate(NO_TOKEN, LOWEST);
    for (var i = lane; i < CLASSES / 4; i += LANES) {
      for (var c = 0u; c < 4; c++) {
        let candidate = Candidate(4 * i + c, row[i][c]);
        if comes_before(last, candidate) && comes_before(candidate, own_best) {
          own_best = candidate;
        }
      }
    }
    last = best_of_lanes(own_best, lane, round);
    if lane == 0 {
      told[image * TOP + round] = Told(last.token, exp(last.logit - largest) / total);
    }
  }
}

/// Four logits of a cell; of the cell behind the last, the mean of all.
fn logits_of(image: u32, cell: u32, i: u32) -> vec4f {
  let start = image * CELLS * (CLASSES / 4) + i;
  if cell < CELLS {
    return logits[start + cell * (CLASSES / 4)];
  }
  var sum = vec4f();
  for (var other = 0u; other < CELLS; other++) {
    sum += logits[start + other * (CLASSES / 4)];
  }
  return sum / f32(CELLS);
}

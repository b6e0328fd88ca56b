// Where each slot looks: the weights of one layer's cross-attention, averaged over its heads.
//
// attention.wgsl keeps its weights to itself, so for who wants to see them they are computed again
// from the same queries and keys. A workgroup takes a slot; each lane owns some of the keys.
//
// Dispatch: (queries, batch, 1).

/// Width of all heads together; WIDTH / HEADS is a multiple of 4.
override WIDTH: u32;
override HEADS: u32;
/// Lanes of a workgroup.
override LANES: u32 = 64;
/// The most keys that an image can have.
override MAX_KEYS: u32;

/// Where rows are. Strides and offsets count numbers and are multiples of 4.
struct Layout {
  /// Query rows of an image.
  queries: u32,
  /// Rows from one image's queries to the next one's: `queries`, or 0 if all images share them.
  query_step: u32,
  /// Key rows of an image, padding included; at most MAX_KEYS.
  keys: u32,
  /// Numbers in a row of the key-value buffer, and where in it the keys start.
  key_stride: u32,
  key_offset: u32,
}

@group(0) @binding(0) var<uniform> rows: Layout;
/// [batch · query_step or queries, WIDTH]
@group(0) @binding(1) var<storage, read> queries: array<vec4f>;
/// [batch · keys, key_stride]
@group(0) @binding(2) var<storage, read> memory: array<vec4f>;
/// [batch]: keys of each image that hold something, at least 1.
@group(0) @binding(3) var<storage, read> lengths: array<u32>;
/// [batch, queries, keys]: each row sums to 1, and is 0 where a key holds nothing.
@group(0) @binding(4) var<storage, read_write> map: array<f32>;

/// Scores of the head at work, then exp(score − the largest).
var<workgroup> scores: array<f32, MAX_KEYS>;
var<workgroup> largest: array<f32, LANES>;
var<workgroup> totals: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let image = workgroup.y;
  let used = min(lengths[image], rows.keys);
  let map_at = (image * rows.queries + workgroup.x) * rows.keys;
  for (var key = lane; key < rows.keys; key += LANES) {
    map[map_at + key] = 0;
  }
  // In vec4s from here on.
  let width = WIDTH / HEADS / 4;
  let scale = inverseSqrt(f32(4 * width));
  for (var head = 0u; head < HEADS; head++) {
    let query_at = (image * rows.query_step + workgroup.x) * (WIDTH / 4) + head * width;
    let keys_at = (image * rows.keys * rows.key_stride + rows.key_offset) / 4 + head * width;
    var most = -3.4e38;
    for (var key = lane; key < used; key += LANES) {
      let key_at = keys_at + key * (rows.key_stride / 4);
      var score = 0f;
      for (var i = 0u; i < width; i++) {
        score += dot(queries[query_at + i], memory[key_at + i]);
      }
      scores[key] = score * scale;
      most = max(most, score * scale);
    }
    largest[lane] = most;
    workgroupBarrier();
    for (var other = 0u; other < LANES; other++) {
      most = max(most, largest[other]);
    }
    var total = 0f;
    for (var key = lane; key < used; key += LANES) {
      scores[key] = exp(scores[key] - most);
      total += scores[key];
    }
    totals[lane] = total;
    workgroupBarrier();
    total = 0;
    for (var other = 0u; other < LANES; other++) {
      total += totals[other];
    }
    for (var key = lane; key < used; key += LANES) {
      map[map_at + key] += scores[key] / total / f32(HEADS);
    }
  }
}

// Multi-head attention in one kernel: softmax(q·kᵀ / √head width)·v, every query seeing every key.
//
// A workgroup takes GROUPS groups of ROWS queries of one head of one image. All their scores lie in
// workgroup memory, so that the softmax is exact and nothing of it reaches a buffer. A lane works
// for all queries of a group at once, by four keys or four columns: what it reads serves sixteen
// products.
// Queries, keys and values are slices of wider rows: of a fused q-k-v product in self-attention,
// of one product that holds the keys and values of every layer in cross-attention.
//
// Dispatch: (ceil(queries / (ROWS·GROUPS)), HEADS, batch).

/// Width of all heads together; WIDTH / HEADS is a multiple of 4.
override WIDTH: u32;
override HEADS: u32;
/// Queries of a group: 4, or 1 where an image has one query.
override ROWS: u32 = 4;
/// Groups of a workgroup; divides LANES.
override GROUPS: u32 = 1;
/// Lanes of a workgroup.
override LANES: u32 = 64;
/// Lanes that share the keys of a sum over values; LANES / (GROUPS · head width / 4), at least 1.
override SLICES: u32 = 1;
/// The most keys that an image can have.
override MAX_KEYS: u32;
/// vec4s of `shared_rows`: what the scores take, or the slices' sums.
override SHARED: u32;

/// vec4s in a head's part of a row.
override HEAD = WIDTH / HEADS / 4;

/// Where rows are; not overrides, so that one pipeline serves every layer and both attentions.
/// Strides and offsets count numbers and are multiples of 4.
struct Layout {
  /// Query rows of an image.
  queries: u32,
  /// Rows from one image's queries to the next one's: `queries`, or 0 if all images share them.
  query_step: u32,
  /// Numbers in a row of the query buffer; the queries start each row.
  query_stride: u32,
  /// Key rows of an image, padding included; at most MAX_KEYS.
  keys: u32,
  /// Numbers from one image's first key row to the next one's, and from one key row to the next.
  image_stride: u32,
  key_stride: u32,
  /// Where in a row the keys and the values start.
  key_offset: u32,
  value_offset: u32,
}

@group(0) @binding(0) var<uniform> rows: Layout;
/// [batch · query_step or queries, query_stride]
@group(0) @binding(1) var<storage, read> queries: array<vec4f>;
/// [batch, keys, key_stride], if each image's rows are neighbours: keys and values
@group(0) @binding(2) var<storage, read> memory: array<vec4f>;
/// [batch]: keys of each image that hold something, at least 1.
@group(0) @binding(3) var<storage, read> lengths: array<u32>;
/// [batch · queries, WIDTH]
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

/// [GROUPS, MAX_KEYS]: of each key the scores of a group's queries, then exp(score − the query's
/// largest); at the end [LANES, ROWS + 1]: each slice's sums.
var<workgroup> shared_rows: array<vec4f, SHARED>;
/// Each lane's largest scores; lane l works for group l % GROUPS.
var<workgroup> largest: array<vec4f, LANES>;

const LOWEST = -3.4e38;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let image = tile.z;
  let keys = min(lengths[image], rows.keys);
  // In vec4s from here on.
  let key_stride = rows.key_stride / 4;
  let image_at = image * (rows.image_stride / 4) + tile.y * HEAD;

  let group = lane % GROUPS;
  let most = score(tile, group, lane / GROUPS, keys, image_at + rows.key_offset / 4, key_stride);
  largest[lane] = most;
  workgroupBarrier();
  exponentiate(group, lane / GROUPS, keys, most);
  workgroupBarrier();

  // From here on a lane works for a group of four columns of a group's rows, over a slice of keys.
  let values_at = image_at + rows.value_offset / 4;
  var sums: Sums;
  for (var item = lane; item < GROUPS * HEAD * SLICES; item += LANES) {
    let column = item % HEAD;
    let own = (item / HEAD) % GROUPS;
    sums = weighted(own, item / (HEAD * GROUPS), keys, values_at + column, key_stride);
    if SLICES == 1 {
      finish(tile, own, column, sums);
    }
  }
  if SLICES == 1 {
    return;
  }
  workgroupBarrier();
  let at = lane * (ROWS + 1);
  shared_rows[at] = sums.total;
  shared_rows[at + 1] = sums.y0;
  if ROWS > 1 {
    shared_rows[at + 2] = sums.y1;
    shared_rows[at + 3] = sums.y2;
    shared_rows[at + 4] = sums.y3;
  }
  workgroupBarrier();
  if lane >= GROUPS * HEAD {
    return;
  }
  for (var slice = 1u; slice < SLICES; slice++) {
    let other = (slice * GROUPS * HEAD + lane) * (ROWS + 1);
    sums.total += shared_rows[other];
    sums.y0 += shared_rows[other + 1];
    if ROWS > 1 {
      sums.y1 += shared_rows[other + 2];
      sums.y2 += shared_rows[other + 3];
      sums.y3 += shared_rows[other + 4];
    }
  }
  finish(tile, lane / HEAD, lane % HEAD, sums);
}

/// Where a query starts, in vec4s; those past the end read the last one.
fn start(tile: vec3u, query: u32) -> u32 {
  let row = tile.z * rows.query_step + min(query, rows.queries - 1);
  return row * (rows.query_stride / 4) + tile.y * HEAD;
}

/// Scores a group's queries against a share of the keys, four at a time; gives the largest.
fn score(tile: vec3u, group: u32, share: u32, keys: u32, keys_at: u32, key_stride: u32) -> vec4f {
  let query = (tile.x * GROUPS + group) * ROWS;
  let from0 = start(tile, query);
  let from1 = start(tile, query + 1);
  let from2 = start(tile, query + 2);
  let from3 = start(tile, query + 3);
  let scale = inverseSqrt(f32(4 * HEAD));
  var most = vec4f(LOWEST);
  for (var key = 4 * share; key < keys; key += 4 * (LANES / GROUPS)) {
    let last = keys - 1;
    let at0 = keys_at + key * key_stride;
    let at1 = keys_at + min(key + 1, last) * key_stride;
    let at2 = keys_at + min(key + 2, last) * key_stride;
    let at3 = keys_at + min(key + 3, last) * key_stride;
    // A key a column, a query a component.
    var scores = mat4x4f();
    for (var i = 0u; i < HEAD; i++) {
      let k0 = memory[at0 + i];
      let k1 = memory[at1 + i];
      let k2 = memory[at2 + i];
      let k3 = memory[at3 + i];
      let q0 = queries[from0 + i];
      if ROWS == 1 {
        scores[0].x += dot(k0, q0);
        scores[1].x += dot(k1, q0);
        scores[2].x += dot(k2, q0);
        scores[3].x += dot(k3, q0);
        continue;
      }
      let q = mat4x4f(q0, queries[from1 + i], queries[from2 + i], queries[from3 + i]);
      scores += mat4x4f(k0 * q, k1 * q, k2 * q, k3 * q);
    }
    scores *= scale;
    for (var i = 0u; i < min(4, keys - key); i++) {
      shared_rows[group * MAX_KEYS + key + i] = scores[i];
      most = max(most, scores[i]);
    }
  }
  return most;
}

/// Takes exp(score − the query's largest) of the scores that this lane wrote.
fn exponentiate(group: u32, share: u32, keys: u32, own: vec4f) {
  var most = own;
  for (var other = group; other < LANES; other += GROUPS) {
    most = max(most, largest[other]);
  }
  for (var key = 4 * share; key < keys; key += 4 * (LANES / GROUPS)) {
    for (var i = 0u; i < min(4, keys - key); i++) {
      let at = group * MAX_KEYS + key + i;
      shared_rows[at] = exp(shared_rows[at] - most);
    }
  }
}

/// Sums over a slice of the keys, of each of a group's queries.
struct Sums {
  /// The weights.
  total: vec4f,
  /// Weighted values, four neighbouring columns; named, since an array might not stay in registers.
  y0: vec4f,
  y1: vec4f,
  y2: vec4f,
  y3: vec4f,
}

fn weighted(group: u32, slice: u32, keys: u32, values_at: u32, key_stride: u32) -> Sums {
  var sums = Sums();
  for (var key = slice; key < keys; key += SLICES) {
    let p = shared_rows[group * MAX_KEYS + key];
    let value = memory[values_at + key * key_stride];
    sums.total += p;
    sums.y0 += p.x * value;
    if ROWS > 1 {
      sums.y1 += p.y * value;
      sums.y2 += p.z * value;
      sums.y3 += p.w * value;
    }
  }
  return sums;
}

/// Writes four neighbouring columns of a group's queries.
fn finish(tile: vec3u, group: u32, column: u32, sums: Sums) {
  let query = (tile.x * GROUPS + group) * ROWS;
  let at = (tile.z * rows.queries + query) * (WIDTH / 4) + tile.y * HEAD + column;
  if query < rows.queries {
    y[at] = sums.y0 / sums.total.x;
  }
  if ROWS == 1 {
    return;
  }
  if query + 1 < rows.queries {
    y[at + WIDTH / 4] = sums.y1 / sums.total.y;
  }
  if query + 2 < rows.queries {
    y[at + 2 * (WIDTH / 4)] = sums.y2 / sums.total.z;
  }
  if query + 3 < rows.queries {
    y[at + 3 * (WIDTH / 4)] = sums.y3 / sums.total.w;
  }
}

/** What fusion.onnx says that a photo may show. */

/** A class by the tokens of its name, which nothing fills up, and how likely it is, 0…1. */
export interface Name {
  readonly tokens: readonly number[];
  readonly likely: number;
}

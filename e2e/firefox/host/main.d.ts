/** What main.js gives to the command that drives the page. */
export interface Said {
  /** A caption a picture, then answers about the first one. */
  readonly texts: string[];
  /** Codes of the errors of what is no picture. */
  readonly refusals: string[];
  readonly device: { readonly encoder: string; readonly decoder: string };
  /** Whether the browser has any. */
  readonly webgpu: boolean;
}

declare global {
  var narvlSay: (photos: readonly string[], count: number) => Promise<Said>;
}

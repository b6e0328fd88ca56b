/** A photo on the page. */
export interface Photo {
  readonly name: string;
  /** A file of the visitor's, or the URL of a sample. */
  readonly source: Blob | string;
}

/** The widget: `<narvl-image>` around a page's picture. Importing it defines the element where there is a DOM. */
import { NarvlImage } from './element.ts';

export { NarvlError, type NarvlErrorCode } from '../index.ts';
export type { Standing } from './alt.ts';
export type { Mode } from './attributes.ts';
export type { Captioner } from './captioner.ts';
export {
  type DescribeOptions,
  type DescribeProgress,
  type Description,
  describeImages,
  type Outcome,
} from './describe-images.ts';
export { NarvlImage, type State } from './element.ts';
export type { Apply, NarvlEventMap } from './events.ts';
export type { SharedOptions } from './shared-model.ts';
export type { WidgetTexts } from './texts.ts';

// An extension's content script has a document and no registry: there it is null.
const registry: CustomElementRegistry | null | undefined = globalThis.customElements;
if (registry && !registry.get('narvl-image')) registry.define('narvl-image', NarvlImage);

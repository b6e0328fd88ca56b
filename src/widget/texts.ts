/** Everything that the widget says, in English; a page in another language says it in its own words. */

/** What the panel and the announcer say. */
export interface WidgetTexts {
  /** The panel's name for assistive technology. */
  panel: string;
  /** Over the field. */
  label: string;
  use: string;
  another: string;
  dismiss: string;
  retry: string;
  /** While the model's files arrive; both in megabytes. */
  loading(loaded: number, total: number): string;
  preparing: string;
  looking: string;
  /** Under the field; 0…1. */
  confidence(confidence: number): string;
  /** As `confidence`, of a text that is more likely wrong than right. */
  unsure(confidence: number): string;
  /** Under the field, of a text of so many characters that is longer than it should be. */
  long(length: number, target: number): string;
  failed(message: string): string;
  /** Read out when a text was found. */
  suggested(text: string): string;
  /** Read out when several were found at a time. */
  manySuggested(count: number): string;
  /** Read out when a text was taken over. */
  used: string;
}

const megabytes = new Intl.NumberFormat('en', {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });

export const english: Readonly<WidgetTexts> = {
  panel: 'Alternative text',
  label: 'Suggested alternative text',
  use: 'Use',
  another: 'Another',
  dismiss: 'Dismiss',
  retry: 'Try again',
  loading: (loaded, total) =>
    `Loading the model, ${megabytes.format(loaded)} of ${megabytes.format(total)} MB`,
  preparing: 'Preparing the model',
  looking: 'Looking at the picture',
  confidence: (confidence) => `Confidence ${percent.format(confidence)}`,
  unsure: (confidence) => `A guess. Confidence ${percent.format(confidence)}`,
  long: (length, target) => `${length} characters; about ${target} are easier to listen to`,
  failed: (message) => `No suggestion. ${message}`,
  suggested: (text) => `Suggested alternative text: ${text}`,
  manySuggested: (count) => `${count} alternative texts suggested`,
  used: 'Alternative text taken over',
};

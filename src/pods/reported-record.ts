/** Text that a pod reports with its progress, for the controller to keep for the next pod of the same role. */
export class ReportedRecord {
  /** What only another pod of the same role interprets; undefined where there is none. */
  text: string | undefined;

  async load(): Promise<string | undefined> {
    return this.text;
  }

  async save(text: string): Promise<void> {
    this.text = text;
  }

  async remove(): Promise<void> {
    this.text = undefined;
  }
}

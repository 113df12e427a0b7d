/** The user's mistake on the command line, in words for the user. */
export class UsageError extends Error {
  /** What to type to learn more. */
  readonly help: string;

  constructor(message: string, help = 'samsa --help') {
    super(message);
    this.name = 'UsageError';
    this.help = help;
  }
}

/** What a context menu or a toolbar offers for some rows. An action that is not possible stays, disabled, with its reason. */
export interface GridAction {
  readonly key: string;
  readonly label: string;
  readonly icon?: string;
  readonly destructive?: boolean;
  /** Why it cannot be done now; null or missing: it can. */
  readonly disabledReason?: string | null;
  /** Begins a new section of the menu. */
  readonly section?: boolean;
  readonly run: () => void;
}

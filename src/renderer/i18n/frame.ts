/** Texts of the frame, and those that many pages share. */
export const common = {
  unknown: 'unknown',
  retry: 'Retry',
  copy: 'Copy',
  copied: 'Copied',
  copyRefused: 'The clipboard could not be written',
  copyDetails: 'Copy details',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  open: 'Open',
  yes: 'yes',
  no: 'no',
  oneOnly: 'For one at a time',
  shownOf: '{shown} of {total}',
};

export const nav = {
  rail: 'Clusters and pages',
  clusters: 'Clusters',
  pages: 'Pages',
  breadcrumb: 'Where this is',
  search: 'Search',
  overview: 'Overview',
  brokers: 'Brokers',
  topics: 'Topics',
  groups: 'Groups',
  security: 'Security',
  controller: 'Controller',
  internals: 'Internals',
  notYet: 'Not built yet',
  theme: 'Theme: {theme}',
  help: 'Keyboard shortcuts',
  fold: 'Fold the sidebar',
  unfold: 'Unfold the sidebar',
};

export const settings = {
  theme: { system: 'as the system', light: 'light', dark: 'dark' },
  time: { local: 'Local time', utc: 'UTC', epoch: 'Epoch ms' },
};

export const status = {
  copyBootstrap: 'Copy the bootstrap servers',
  controller: 'Controller {id}',
  timeHint: 'How times read: local, UTC or epoch milliseconds',
};

export const connection = {
  pageFailed: 'This page could not be loaded',
  pageFailedHint: 'Samsa may have been updated or ended meanwhile. Start it anew and reload the console.',
  lost: 'The connection to the console’s services is lost.',
  asOf: 'What you see is as of {time}.',
  trying: 'Trying…',
  retryIn: 'Next try in {seconds} s',
  retryNow: 'Try now',
  state: { connecting: 'Connecting…', connected: 'Connected', lost: 'Disconnected' },
};

export const cluster = {
  environment: { local: 'Local', dev: 'Dev', test: 'Test', prod: 'Prod', readOnly: 'Read-only' },
  state: {
    starting: 'Starting',
    running: 'Running',
    degraded: 'Degraded',
    stopping: 'Stopping',
    stopped: 'Stopped',
    unreachable: 'Unreachable',
  },
};

export const palette = {
  title: 'Search and commands',
  placeholder: 'Find a topic, group, broker, page or action…',
  pages: 'Pages',
  actions: 'Actions',
  processes: 'Brokers and ZooKeeper',
  brokers: 'Brokers',
  topics: 'Topics',
  groups: 'Groups',
  nothing: 'Nothing matches “{term}”',
  light: 'Use the light theme',
  dark: 'Use the dark theme',
  system: 'Use the system’s theme',
};

export const keys = {
  title: 'Keyboard shortcuts',
  description: 'Every key there is',
  group: { everywhere: 'Everywhere', lists: 'In lists' },
  palette: 'Search and commands',
  quickOpen: 'Quick open',
  filter: 'Filter the list',
  refresh: 'Refresh',
  rail: 'Fold the sidebar',
  create: 'Create (on Topics)',
  help: 'Keyboard shortcuts',
  move: 'Next and previous row',
  open: 'Open the row',
  select: 'Select the row',
  extend: 'Extend the selection',
  selectAll: 'Select all',
  copy: 'Copy the cell or the selected rows',
  menu: 'Menu of the row',
  escape: 'Clear the selection or filter',
};

export const filter = { clear: 'Clear the filter', regex: 'Regular expression' };

export const grid = {
  selectAll: 'Select all',
  selectRow: 'Select {name}',
  copyCell: 'Copy cell',
  copyTsv: 'Copy row as TSV | Copy {n} rows as TSV',
  copyJson: 'Copy row as JSON | Copy {n} rows as JSON',
  moveLeft: 'Move left',
  moveRight: 'Move right',
  hideColumn: 'Hide column',
  resetColumns: 'Reset columns',
};

export const state = {
  loading: 'Loading…',
  filtered: 'Nothing matches the filter',
  filteredHint: '{total} without it',
  clearFilter: 'Clear the filter',
  asOf: 'data as of {time}',
};

export const failure = {
  api: 'API',
  code: 'Error',
  broker: 'Broker',
  timeout: 'Timeout',
  title: {
    kafka: 'The broker refused',
    unsupported: 'Not supported by this broker',
    notPermitted: 'Not permitted',
    timeout: 'No answer in time',
    unreachable: 'Unreachable',
    notFound: 'Not found',
    invalid: 'Not valid',
    refused: 'Refused',
    internal: 'Something in the console failed',
  },
};

export const confirm = {
  loadingImpact: 'Looking at what this touches…',
  impactUnknown: 'What this touches could not be found out: {reason}',
  report: '{failed} failed, {done} done.',
  type: 'Type {name} to go on',
};

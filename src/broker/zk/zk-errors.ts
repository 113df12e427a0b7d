/** What the controller's writes can meet in ZooKeeper. Source: ControllerMovedException, StateChangeFailedException. */

/** Another controller was elected: /controller_epoch is no longer at the version that this one's writes are checked against. */
export class ControllerMovedError extends Error {
  override readonly name = 'ControllerMovedError';
}

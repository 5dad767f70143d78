/** One write of a remedy. The fields are an interface: docs/output.md. */
export interface Step {
  /** What is done to the object; a token is requested of its service account. */
  verb: 'write' | 'delete' | 'restart' | 'request a token of';
  /** Its kind and name, as `Secret NAMESPACE/NAME`, or `Pods in NAMESPACE`. */
  object: string;
  /** The context of its cluster. */
  on: string;
  /** Of the very object that was looked at, where it is there. */
  uid?: string | undefined;
  /** A clause: what is wrong with it, or what comes of it. */
  why?: string;
}

/** What can be done about a problem without a person's decision. */
export interface Remedy {
  steps: readonly Step[];
  /** Takes the steps; not in a dry run. @throws StellarError */
  apply(): Promise<void>;
}

/** Whether two looks came to the same step on the same object. */
export const keyOf = ({ verb, object, on, uid }: Step): string => JSON.stringify([verb, object, on, uid]);

/** One write of a remedy. The fields are an interface: docs/output.md. */
export interface Step {
  /** What the step does to the object; a token is requested for its service account. */
  verb: 'write' | 'delete' | 'restart' | 'request a token of';
  /** Its kind and name, as `Secret NAMESPACE/NAME`, or `Pods in NAMESPACE`. */
  object: string;
  /** The context of its cluster. */
  on: string;
  /** The UID of the object that was read, if it exists. */
  uid?: string | undefined;
  /** A clause: what is wrong with the object, or the effect of the step. */
  why?: string;
}

/** A fix that needs no decision of a user. */
export interface Remedy {
  steps: readonly Step[];
  /** Takes the steps; not in a dry run. @throws StellarError */
  apply(): Promise<void>;
}

/** Equal for the same step on the same object in two readings. */
export const keyOf = ({ verb, object, on, uid }: Step): string => JSON.stringify([verb, object, on, uid]);

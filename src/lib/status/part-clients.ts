import { isDeepStrictEqual } from 'node:util';
import { Deadline } from '../engine/deadline.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';

/** How long a look into one part may take: one that does not answer is not to use up the time of the whole. */
const partMs = 5000;

interface Part {
  context: SelectedContext;
  kube: Kube;
  deadline: Deadline;
}

/** Clients for the parts of an installation, each with a deadline of its own, kept from one look to the next. */
export class PartClients {
  readonly #connect: (context: SelectedContext, deadline: Deadline) => Kube;
  readonly #whole: Deadline;
  readonly #parts = new Map<string, Part>();

  /** @param whole the deadline of all parts together */
  constructor(connect: (context: SelectedContext, deadline: Deadline) => Kube, whole: Deadline) {
    this.#connect = connect;
    this.#whole = whole;
  }

  /** A client whose time begins now. @param part tells the parts apart */
  open(part: string, context: SelectedContext): Kube {
    const limit = this.#whole.requestTimeout(partMs);
    const known = this.#parts.get(part);
    // A space that was made anew has other credentials at the same address.
    if (known !== undefined && isDeepStrictEqual(known.context, context)) {
      known.deadline.restart(limit);
      return known.kube;
    }
    known?.kube.close();
    const deadline = new Deadline(limit);
    const kube = this.#connect(context, deadline);
    this.#parts.set(part, { context, kube, deadline });
    return kube;
  }
}

import type { JudgedReading } from '../../core/follow.ts';
import type { Kube } from '../../kube/client/client.ts';
import { ApiError, unlessStatus } from '../../kube/client/errors.ts';
import { type Foreseen, foreseen } from '../../kube/client/foreseen.ts';
import { resources } from '../../kube/client/objects.ts';
import { singletonAgentId } from '../../ocm/agent/wec-evidence.ts';
import type { HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import type { RegistrationRequest } from '../../ocm/hub/registration-requests.ts';
import { acceptCluster, decide, decideRequest } from '../registration/acceptance.ts';
import type { Registration } from '../registration/registration-checks.ts';
import {
  describeReports,
  type RegistrationFollower,
  type WecResult,
} from './follow-registration.ts';

/** What a user, or a join, says about the acceptance of a WEC. */
export interface Accepting {
  /** Whether to continue to `until` afterwards. */
  wait: boolean;
  /** A cluster that had joined before is done, whether or not it is available now. */
  joinedIsEnough?: boolean;
  /** The id of the agent to accept, or a prefix of it. */
  agent?: string | undefined;
  /** Its own agent, where the reading does not show it. */
  ownAgent?: string | undefined;
  /** What the acceptance does to workloads. */
  effects: Foreseen;
}

/** Approves the requests of one WEC, and accepts it, while its registration is followed. */
export class Acceptance {
  readonly #hub: Kube;
  readonly #follower: RegistrationFollower;
  readonly #approvedAgents = new Set<string>();

  constructor(hub: Kube, follower: RegistrationFollower) {
    this.#hub = hub;
    this.#follower = follower;
  }

  /** Approves and accepts when it is time. @returns a result that ends it */
  async act(
    { snapshot, reports }: JudgedReading<Registration>,
    accepting: Accepting,
  ): Promise<WecResult | undefined> {
    const { wait, joinedIsEnough, agent, ownAgent = ownAgentIn(snapshot) } = accepting;
    const hub = this.#hub;
    const follower = this.#follower;
    if (snapshot.hub === undefined) return undefined;
    const decision = decide(snapshot.hub, {
      its: hub.cluster.context,
      agent,
      ownAgent,
      approvedAgents: this.#approvedAgents,
      now: snapshot.now,
    });
    switch (decision.action) {
      case 'refuse':
        return follower.broken(decision.error);
      case 'already-joined':
        if (!joinedIsEnough || follower.result.changed) return undefined;
        return follower.finish(`has joined already; ${describeReports(reports)}`);
      case 'wait':
        return undefined;
      case 'follow':
        return wait ? undefined : follower.finish('accepted');
      case 'approve':
        return this.#write(hub, snapshot.hub, decision.requests, accepting);
      case 'accept':
        return this.#write(hub, snapshot.hub, [], accepting);
    }
  }

  /** Approves, then accepts. If there is no ManagedCluster yet, the next reading accepts. */
  async #write(
    hub: Kube,
    { managedCluster }: HubEvidence,
    requests: RegistrationRequest[],
    { wait, effects }: Accepting,
  ): Promise<WecResult | undefined> {
    const follower = this.#follower;
    try {
      for (const request of requests) {
        await decideRequest(hub, request, 'Approved');
        follower.wrote(`request ${request.name} approved`);
        if (!hub.dryRun) Object.assign(follower.result, { stage: 'approved', blockedAt: null });
        if (request.agent !== undefined) this.#approvedAgents.add(request.agent);
      }
      if (managedCluster === undefined) return undefined;
      if (!managedCluster.spec?.hubAcceptsClient) {
        await acceptCluster(foreseen(hub, effects), follower.name);
        follower.wrote('cluster accepted');
      }
      return hub.dryRun || !wait ? follower.finish('accepted') : undefined;
    } catch (error) {
      // Changed or deleted since it was read: the next reading decides again.
      if (error instanceof ApiError && [404, 409].includes(error.status)) return undefined;
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      // The hub's webhook denies the cluster while the mailbox of an earlier registration is being deleted.
      const mailbox = await unlessStatus(hub.get(resources.namespaces, follower.name), 403);
      return mailbox?.metadata.deletionTimestamp === undefined ? follower.broken(error) : undefined;
    }
  }
}

const ownAgentIn = ({ wec }: Registration) => wec?.klusterlet && singletonAgentId(wec.klusterlet);

import type { FaultRow } from './row.ts';
import { agents } from './rows/agents.ts';
import { credentials } from './rows/credentials.ts';
import { deletion } from './rows/deletion.ts';
import { reachingTheHub } from './rows/reaching-the-hub.ts';
import { registered } from './rows/registered.ts';
import { requests } from './rows/requests.ts';
import { type SpaceFaultRow, spaces } from './rows/spaces.ts';

/** The faults of a managed cluster's registration, by distinguishable causes. */
export const registrationFaults: readonly FaultRow[] = [
  ...reachingTheHub,
  ...credentials,
  ...requests,
  ...agents,
  ...registered,
  ...deletion,
];

/** The faults of a hosting cluster and its spaces, likewise. */
export const spaceFaults: readonly SpaceFaultRow[] = spaces;

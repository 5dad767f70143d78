import type { FaultRow } from './row.ts';
import { agents } from './rows/agents.ts';
import { credentials } from './rows/credentials.ts';
import { deletion } from './rows/deletion.ts';
import { reachingTheHub } from './rows/reaching-the-hub.ts';
import { registered } from './rows/registered.ts';
import { requests } from './rows/requests.ts';
import { type SpaceFaultRow, spaces } from './rows/spaces.ts';

/** What can go wrong with the registration of a managed cluster, by causes that are to be told apart. */
export const registrationFaults: readonly FaultRow[] = [
  ...reachingTheHub,
  ...credentials,
  ...requests,
  ...agents,
  ...registered,
  ...deletion,
];

/** What can go wrong with a hosting cluster and its spaces; the same. */
export const spaceFaults: readonly SpaceFaultRow[] = spaces;

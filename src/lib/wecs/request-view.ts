import type { RegistrationRequest, RequestState } from '../ocm/registration-requests.ts';

/** A request in the output for scripts: docs/output.md. */
export interface RequestView {
  name: string;
  agent: string | null;
  state: RequestState;
  /** RFC 3339 */
  created: string;
}

export const requestView = ({ name, agent, state, created }: RegistrationRequest): RequestView => ({
  name,
  agent: agent ?? null,
  state,
  created: new Date(created).toISOString(),
});

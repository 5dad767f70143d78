import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Secret } from '../../../../../src/lib/kube/client/objects.ts';
import { bootstrapSecret } from '../../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import { OwnRequests } from '../../../../../src/lib/wecs/registration/own-requests.ts';
import { request, tokenWith } from '../../../support/builders.ts';

const hub = { server: 'https://its1:6443', certificateAuthority: undefined, proxyUrl: undefined };
const secretWith = (token: string) => ({ bootstrapSecret: bootstrapSecret(hub, token) as Secret });

async function sentWith(jti: string | undefined, agent: string) {
  const made = await request({ name: `csr-${agent}`, agent });
  if (jti !== undefined)
    made.csr.spec.extra = { 'authentication.kubernetes.io/credential-id': [`JTI=${jti}`] };
  return made;
}

const [before, now, unmarked] = await Promise.all([
  sentWith('t1', 'agent-a'),
  sentWith('t2', 'agent-b'),
  sentWith(undefined, 'agent-c'),
]);
const all = [before, now, unmarked];
const namesOf = (requests: readonly { name: string }[]) => requests.map(({ name }) => name);

describe('the requests of a WEC', () => {
  test('are those of its agent, if its ID is known', () => {
    const own = new OwnRequests('agent-a', secretWith(tokenWith({ jti: 't2' })));
    assert.deepEqual(namesOf(all.filter((each) => own.maybe(each))), ['csr-agent-a']);
    assert.equal(own.agent, 'agent-a');
  });
  test('are those of the token in its bootstrap secret otherwise', () => {
    const own = new OwnRequests(undefined, secretWith(tokenWith({ jti: 't1' })));
    assert.deepEqual(namesOf(all.filter((each) => own.isProven(each))), ['csr-agent-a']);
    own.see(secretWith(tokenWith({ jti: 't2' })), all);
    assert.equal(own.agent, 'agent-b', 'a new secret has ended the agent before');
    assert.deepEqual(namesOf(all.filter((each) => own.maybe(each))), [
      'csr-agent-b',
      'csr-agent-c',
    ]);
  });
  test('may be any, if neither the ITS nor the token shows them', () => {
    const own = new OwnRequests(undefined, secretWith('abcdef.0123456789abcdef'));
    own.see(secretWith('abcdef.0123456789abcdef'), all);
    assert.deepEqual(namesOf(all.filter((each) => own.maybe(each))), namesOf(all));
    assert.deepEqual(
      all.filter((each) => own.isProven(each)),
      [],
    );
    assert.equal(own.agent, undefined);
  });
});

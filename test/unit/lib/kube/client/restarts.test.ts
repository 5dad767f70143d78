import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { graceMs } from '../../../../../src/lib/core/deadline.ts';
import { networkError } from '../../../../../src/lib/kube/client/errors.ts';
import { Restarts } from '../../../../../src/lib/kube/client/transport.ts';
import { fakeTime, realTime } from '../../../support/fake-time.ts';

const refused = networkError({ context: 'its1', server: 'https://its1' }, { code: 'ECONNREFUSED' });
const untrusted = networkError(
  { context: 'its1', server: 'https://its1' },
  { code: 'CERT_HAS_EXPIRED' },
);
const answer = (status: number) => ({ status, text: '', retryAfter: undefined });

describe('a server', () => {
  beforeEach(() => fakeTime());
  afterEach(realTime);

  test('a server that has never answered does not run', () => {
    assert.equal(new Restarts().mayBeRestarting(refused), false);
  });

  test('a server that has answered and refuses connections restarts, for the grace time', () => {
    const restarts = new Restarts();
    assert.equal(restarts.mayBeRestarting(answer(200)), false);
    assert.equal(restarts.mayBeRestarting(refused), true);
    mock.timers.tick(graceMs);
    assert.equal(restarts.mayBeRestarting(refused), true);
    mock.timers.tick(1);
    assert.equal(restarts.mayBeRestarting(refused), false);
  });

  test('the first responses of a server that has just started may be wrong; later ones count', () => {
    const restarts = new Restarts();
    assert.equal(restarts.mayBeRestarting(answer(403)), false);
    restarts.mayBeRestarting(refused);
    assert.equal(restarts.mayBeRestarting(answer(403)), true);
    assert.equal(restarts.mayBeRestarting(answer(404)), false);
    assert.equal(restarts.mayBeRestarting(answer(403)), false);
  });

  test('an untrusted certificate is not a restart', () => {
    const restarts = new Restarts();
    restarts.mayBeRestarting(answer(200));
    assert.equal(restarts.mayBeRestarting(untrusted), false);
  });
});

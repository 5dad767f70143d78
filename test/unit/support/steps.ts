import assert from 'node:assert/strict';
import { StellarError } from '../../../src/lib/core/errors.ts';
import { type NextStep, stepLines } from '../../../src/lib/core/next-step.ts';

/** The next steps of an error, a problem or a verdict, as people see them; empty if it has none. */
export const stepsOf = (of: unknown) =>
  stepLines((of as { next?: readonly NextStep[] } | undefined)?.next ?? []).join('\n');

interface Expected {
  steps: RegExp | string;
  code?: string;
  exitCode?: number;
  message?: RegExp | string;
}

/** For `assert.rejects` and `assert.throws`: an error with these fields and these next steps. */
export const failsWith =
  ({ steps, ...fields }: Expected) =>
  (error: unknown) => {
    assert.ok(error instanceof StellarError, String(error));
    const thrown = () => {
      throw error;
    };
    if (Object.keys(fields).length > 0) assert.throws(thrown, fields);
    if (typeof steps === 'string') assert.equal(stepsOf(error), steps);
    else assert.match(stepsOf(error), steps);
    return true;
  };

/** A text that may be missing is there and as expected. */
export const matches = (text: string | null | undefined, expected: RegExp) =>
  assert.match(text ?? '', expected);

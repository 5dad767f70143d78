/** Whether everything runs: in `npm run test:release`, and with `npm test -- --release FILE`. */
export const isRelease = process.env.TEST_RELEASE === '1';

/**
 * The options of a test, or of the tests of a suite, that tries another case of what CI tries already: CI names it as skipped. The
 * names of such files end in `.long.release.test.ts`.
 */
export const inRelease = { skip: isRelease ? false : 'npm run test:release runs it' };

/** The same for the rows of a table: CI tries those with `inCi`. */
export const rowOptions = ({ inCi = false }: { inCi?: boolean | undefined }) =>
  inCi ? {} : inRelease;

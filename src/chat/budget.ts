/** How many tokens a prompt, and a summary in it, may have. */

/** What is left to an answer nobody set a bound for, unless the window is small. */
const ROOM_FOR_ANSWER = 4096;

/** The session's own budget; without one (0) what the model's window leaves beside its answer. */
export function promptBudget(
  tokenBudget: number,
  contextWindow: number,
  maxTokens: number | undefined,
): number {
  if (tokenBudget > 0) return tokenBudget;
  const answer = maxTokens ?? Math.min(ROOM_FOR_ANSWER, Math.floor(contextWindow / 4));
  return Math.max(0, contextWindow - answer);
}

/** The most a summary may take of a prompt: it is there to leave room for the turns. */
export function summaryBudget(promptTokens: number): number {
  return Math.max(1, Math.min(1024, Math.floor(promptTokens / 4)));
}

/** The most that recalled documents may take of a prompt. */
export function recallBudget(promptTokens: number): number {
  return Math.min(2048, Math.floor(promptTokens / 4));
}

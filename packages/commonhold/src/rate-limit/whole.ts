/** `dividend / divisor` rounded down, exact for whole numbers up to 2^53, where a division of numbers is not. */
export function wholeFloor(dividend: number, divisor: number): number {
  return (dividend - (dividend % divisor)) / divisor;
}

/** `dividend / divisor` rounded up, exact for whole numbers up to 2^53. */
export function wholeCeil(dividend: number, divisor: number): number {
  const rest = dividend % divisor;
  return (dividend - rest) / divisor + (rest > 0 ? 1 : 0);
}

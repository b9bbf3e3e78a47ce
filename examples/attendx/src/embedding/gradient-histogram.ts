/** Cells in each direction, and directions in each cell. */
const cells = 6;
const directions = 8;

/**
 * How strong the edges of each direction are in each of 6 x 6 cells of a square of pixels: 288 numbers. Their roots are taken,
 * so that a few strong edges do not drown all others, and the mean is taken away, so that two images are not alike for having
 * edges at all.
 *
 * @param pixels row by row.
 */
export function gradientHistogram(pixels: Float32Array, side: number): Float32Array {
  const histogram = new Float32Array(cells * cells * directions);
  const at = (x: number, y: number): number => pixels[y * side + x] ?? 0;
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const edge = edgeOf(at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1));
      for (const { index: row, share: down } of nearCells(y, side)) {
        for (const { index: column, share: across } of nearCells(x, side)) {
          addEdge(histogram, row * cells + column, edge, down * across);
        }
      }
    }
  }
  const roots = histogram.map(Math.sqrt);
  const mean = roots.reduce((sum, value) => sum + value, 0) / roots.length;
  return roots.map((value) => value - mean);
}

interface Edge {
  readonly strength: number;
  /** From 0 up to the number of directions. */
  readonly direction: number;
}

function edgeOf(across: number, down: number): Edge {
  const turn = (Math.atan2(down, across) / (2 * Math.PI) + 1) % 1;
  return { strength: Math.hypot(across, down), direction: turn * directions };
}

interface Share {
  readonly index: number;
  readonly share: number;
}

/** The two cells nearest to a pixel along one side, each with its share, so that a small shift changes little. */
function nearCells(position: number, side: number): Share[] {
  const place = ((position + 0.5) * cells) / side - 0.5;
  const first = Math.floor(place);
  const shares = [
    { index: first, share: 1 - (place - first) },
    { index: first + 1, share: place - first },
  ];
  return shares.filter(({ index }) => index >= 0 && index < cells);
}

/** An edge between two directions counts for both, so that a small turn changes little. */
function addEdge(histogram: Float32Array, cell: number, { strength, direction }: Edge, share: number): void {
  const first = Math.floor(direction) % directions;
  const second = (first + 1) % directions;
  const beyond = direction - Math.floor(direction);
  const base = cell * directions;
  histogram[base + first] = (histogram[base + first] ?? 0) + strength * share * (1 - beyond);
  histogram[base + second] = (histogram[base + second] ?? 0) + strength * share * beyond;
}

/**
 * The places that the tour has come to and the edges between them, and the way to the nearest choice not yet made.
 */
import type { Choice } from './choices.ts';

/** A choice at a place. `to` is null until it was made once. */
export interface Edge {
  readonly label: string;
  to: Place | null;
}

export interface Place {
  readonly id: string;
  readonly edges: readonly Edge[];
  /** Edges not taken yet, the first one last. */
  readonly untaken: Edge[];
  /** One edge to each other place that was come to from here. */
  roads: Edge[];
  /** Marks of the last search that came by: when, and over which edge. */
  seenBy: number;
  cameFrom: Place | null;
  cameBy: Edge | null;
}

export class TourGraph {
  readonly places = new Map<string, Place>();
  /** In all places, and how many of them were taken. */
  edges = 0;
  taken = 0;
  #searches = 0;

  /** The place of this name, made with these choices when it is new. */
  enter(id: string, choices: () => readonly Choice[]): Place {
    const known = this.places.get(id);
    if (known !== undefined) return known;
    const edges = choices().map(({ label }): Edge => ({ label, to: null }));
    const place: Place = { id, edges, untaken: edges.toReversed(), roads: [], seenBy: 0, cameFrom: null, cameBy: null };
    this.places.set(id, place);
    this.edges += edges.length;
    return place;
  }

  /** @returns whether the edge led elsewhere when it was taken before. */
  took(from: Place, edge: Edge, to: Place): boolean {
    const before = edge.to;
    if (before === null) {
      from.untaken.splice(from.untaken.lastIndexOf(edge), 1);
      this.taken++;
    }
    edge.to = to;
    const isDetour = before !== null && before !== to;
    if (isDetour) from.roads = roadsOf(from);
    else if (before === null && to !== from && !from.roads.some((road) => road.to === to)) from.roads.push(edge);
    return isDetour;
  }

  /** Shortest way from here to a place with a choice not yet made; null when there is none. */
  wayToUntaken(from: Place): Edge[] | null {
    return this.#way(from, ({ untaken }) => untaken.length > 0);
  }

  wayTo(from: Place, to: Place): Edge[] | null {
    return this.#way(from, (place) => place === to);
  }

  #way(from: Place, wanted: (place: Place) => boolean): Edge[] | null {
    const search = ++this.#searches;
    from.seenBy = search;
    const queue: Place[] = [from];
    for (let i = 0; i < queue.length; i++) {
      const place = queue[i] as Place;
      if (wanted(place)) return wayBack(from, place);
      for (const edge of place.roads) {
        const { to } = edge;
        if (to === null || to.seenBy === search) continue;
        to.seenBy = search;
        to.cameFrom = place;
        to.cameBy = edge;
        queue.push(to);
      }
    }
    return null;
  }
}

function roadsOf({ edges, ...place }: Place): Edge[] {
  const roads = new Map<string, Edge>();
  for (const edge of edges) if (edge.to !== null && edge.to.id !== place.id) roads.set(edge.to.id, edge);
  return [...roads.values()];
}

function wayBack(from: Place, to: Place): Edge[] {
  const way: Edge[] = [];
  for (let at = to; at !== from; at = at.cameFrom as Place) way.unshift(at.cameBy as Edge);
  return way;
}

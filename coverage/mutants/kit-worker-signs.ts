/** Where in the memory that both threads see the kit's thread says what: signs of life, and the part of the kit it is in. */
export const SIGNS = 0;
export const CHECK = 1;

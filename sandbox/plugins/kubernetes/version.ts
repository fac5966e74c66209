/** Version of the official plugin that this one stands for; the program's SDK asks for it. */
export const VERSION = "4.34.2";

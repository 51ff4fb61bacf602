/** What stands below what was found among all that can be added. */
export function FoundNote(props: { find: string; items: readonly unknown[]; more: number; isLoading: boolean }) {
  const { find, items, more, isLoading } = props;
  if (find === "") return "Any action of AWS is found by letters, such as “s3 put”.";
  if (isLoading) return "Loading the actions of AWS…";
  if (more > 0) return `${more.toLocaleString("en")} more: type more letters.`;
  return items.length === 0 ? "Nothing fits." : null;
}

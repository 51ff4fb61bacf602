import { useState } from "react";
import { useAddable } from "./catalogue";
import { Finder } from "./Finder";
import { FoundNote } from "./FoundNote";
import type { Addable } from "./palette";

/** Finds what to add. */
export function QuickAdd(props: { where: string; onAdd: (item: Addable) => void; onClose: () => void }) {
  const [find, setFind] = useState("");
  const found = useAddable(find);
  return (
    <Finder
      header={`Insert ${props.where}`}
      labels={{ field: "What to insert", list: "What can be inserted" }}
      find={find}
      onFind={setFind}
      found={found.items}
      note={<FoundNote find={find} {...found} />}
      onChoose={props.onAdd}
      onClose={props.onClose}
    />
  );
}

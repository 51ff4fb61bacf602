import Modal from "@cloudscape-design/components/modal";

const KEYS: readonly (readonly [string, string])[] = [
  ["/ or Insert", "Insert behind the selected state"],
  ["Arrows", "Walk along the edges"],
  ["Shift+arrows, Ctrl+click", "Select several states"],
  ["Enter", "Select the state in focus"],
  ["F2", "Rename"],
  ["Ctrl+D", "Duplicate"],
  ["Ctrl+C, Ctrl+X, Ctrl+V", "Copy, cut and paste states as text"],
  ["G, M (in the graph)", "Wrap in a Parallel, a Map"],
  ["E (in the graph)", "Catch the errors of a state"],
  ["U (in the graph)", "Take the states out of a Parallel or Map"],
  ["X (in the graph)", "Extract states to a state machine of their own"],
  ["T (in the graph)", "Test the state"],
  ["Delete", "Delete"],
  ["Ctrl+Z, Ctrl+Y", "Undo, redo"],
  ["Ctrl+F", "Find a state by name"],
  ["Ctrl+S", "Save"],
  ["Ctrl+Space", "Complete what is written in a field or in the code"],
];

export function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Modal visible header="Keys" closeAriaLabel="Close" onDismiss={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}

// A few values that all tabs agree on at once.
//
// localStorage won't do: a tab may read from it what another has replaced already. IndexedDB's transactions follow one
// another whatever the tab.

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("fortunes", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("values");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** Replace a value by what `judge` makes of it, in one transaction; undefined leaves it. What was put, if anything. */
export async function swap(key, judge) {
  const values = (await database()).transaction("values", "readwrite").objectStore("values");
  return new Promise((resolve, reject) => {
    let put;
    values.get(key).onsuccess = (event) => {
      put = judge(event.target.result);
      if (put !== undefined) values.put(put, key);
    };
    values.transaction.oncomplete = () => resolve(put);
    values.transaction.onabort = () => reject(values.transaction.error);
  });
}

export const write = (key, value) => swap(key, () => value);

export async function read(key) {
  let found;
  await swap(key, (value) => {
    found = value;
  });
  return found;
}

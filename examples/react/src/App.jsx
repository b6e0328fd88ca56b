/** A form for a picture and its text: React keeps the text, the widget suggests one. */
import 'narvl-web/widget';
import { useState } from 'react';
import './app.css';

const model = `${import.meta.env.BASE_URL}models/narvl-photo/`;

export function App() {
  const [src, setSrc] = useState();
  // None yet, which is not the empty text of a decorative picture.
  const [alt, setAlt] = useState();

  const choose = ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    if (src) URL.revokeObjectURL(src);
    setSrc(URL.createObjectURL(file));
    setAlt(undefined);
  };

  // The element would write the alt itself. React would not know of it, and has its own copy.
  const apply = (event) => {
    event.preventDefault();
    setAlt(event.detail.text);
  };

  return (
    <main>
      <h1>Alternative texts in React</h1>
      <p>
        <label>
          Picture <input type="file" accept="image/*" onChange={choose} />
        </label>
      </p>
      {src && (
        <narvl-image model={model} onnarvl-apply={apply}>
          <img src={src} alt={alt} />
        </narvl-image>
      )}
      {alt !== undefined && (
        <p>
          <label>
            Alternative text <input value={alt} onChange={({ target }) => setAlt(target.value)} />
          </label>
        </p>
      )}
    </main>
  );
}

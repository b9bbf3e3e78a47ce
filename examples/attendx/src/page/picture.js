/** The picture to send: from the camera where there is one, or a file. */

const longestSide = 1_024;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

/** @type {Blob | undefined} */
let chosen;
/** @type {MediaStream | undefined} */
let stream;

/**
 * Listens for files and the camera.
 * @param {{ onError: (text: string) => void }} options
 */
export function openPicture({ onError }) {
  const picture = byId('picture');
  byId('camera').hidden = navigator.mediaDevices?.getUserMedia === undefined;
  byId('camera').addEventListener('click', () => void toggleCamera(onError));
  byId('choose').addEventListener('click', () => byId('file').click());
  byId('file').addEventListener('change', () => {
    const [file] = byId('file').files;
    if (file !== undefined) choose(file);
    byId('file').value = '';
  });
  for (const name of ['dragover', 'drop']) addEventListener(name, (event) => event.preventDefault());
  picture.addEventListener('dragover', () => picture.classList.add('over'));
  picture.addEventListener('dragleave', () => picture.classList.remove('over'));
  picture.addEventListener('drop', (event) => {
    picture.classList.remove('over');
    const [file] = event.dataTransfer.files;
    if (file !== undefined) choose(file);
  });
}

/** What to send: the file, or what the camera sees now; undefined when there is neither. @returns {Promise<Blob | undefined>} */
export async function currentPicture() {
  return stream === undefined ? chosen : capture(byId('video'));
}

/** Turns the camera off. */
export function stopCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  byId('video').srcObject = null;
  show();
}

/** @param {Blob} file */
function choose(file) {
  stopCamera();
  chosen = file;
  URL.revokeObjectURL(byId('preview').src);
  byId('preview').src = URL.createObjectURL(file);
  show();
}

/** @param {(text: string) => void} onError */
async function toggleCamera(onError) {
  if (stream !== undefined) return stopCamera();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: { ideal: 1_280 } } });
    byId('video').srcObject = stream;
    await byId('video').play();
  } catch {
    stopCamera();
    onError('The camera cannot be used. Choose an image instead.');
  }
  show();
}

function show() {
  const live = stream !== undefined;
  byId('video').hidden = !live;
  byId('preview').hidden = live || chosen === undefined;
  byId('picture-hint').hidden = live || chosen !== undefined;
  byId('camera').textContent = live ? 'Stop camera' : 'Start camera';
  byId('picture').classList.toggle('live', live);
}

/** The square in the middle, as the viewfinder shows it. @param {HTMLVideoElement} video @returns {Promise<Blob>} */
function capture(video) {
  const side = Math.min(video.videoWidth, video.videoHeight);
  const scale = Math.min(1, longestSide / side);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = Math.round(side * scale);
  const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
  canvas.getContext('2d')?.drawImage(video, left, top, side, side, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The camera shows nothing.'))), 'image/jpeg', 0.9);
  });
}

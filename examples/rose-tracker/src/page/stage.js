/** Draws what the camera sees. */
import { picture } from './scenes.js';

const petals = 5;

/** A colour of the page's own, so that the picture follows light and dark. */
function colour(canvas, name) {
  return getComputedStyle(canvas).getPropertyValue(name).trim();
}

/** A hue for each id, always the same, from violet through red to orange. */
function hueOf(id) {
  const number = Number(id.replace(/\D+/, ''));
  return (290 + ((number * 67) % 110)) % 360;
}

function drawBackground(canvas, context, look) {
  context.fillStyle = colour(canvas, '--stage');
  context.fillRect(0, 0, picture.width, picture.height);
  context.strokeStyle = colour(canvas, '--stage-line');
  context.fillStyle = colour(canvas, '--stage-line');
  context.lineWidth = 1;
  // A pavement, or the rows of a bed.
  if (look === 'boxes') context.fillRect(0, 270, picture.width, picture.height - 270);
  const lines = look === 'boxes' ? [] : [120, 210, 300, 390];
  for (const y of lines) {
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(picture.width, y);
    context.stroke();
  }
}

/** @param {import('./scenes.js').Sighting} sighting */
function drawRose(context, { id, x, y, width }) {
  const radius = width / 2;
  const hue = hueOf(id);
  context.save();
  context.translate(x + radius, y + radius);
  for (let ring = 3; ring >= 1; ring -= 1) {
    context.fillStyle = `hsl(${hue} 72% ${66 - ring * 9}%)`;
    for (let petal = 0; petal < petals; petal += 1) {
      context.rotate((2 * Math.PI) / petals + ring / 9);
      context.beginPath();
      context.ellipse(radius * 0.16 * ring, 0, radius * 0.19 * ring, radius * 0.16 * ring, 0, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.restore();
}

/** @param {import('./scenes.js').Sighting} sighting */
function drawFigure(context, { id, x, y, width, height }) {
  const middle = x + width / 2;
  context.fillStyle = `hsl(${hueOf(id)} 62% 58% / 55%)`;
  context.beginPath();
  context.ellipse(middle, y + height * 0.1, width * 0.2, height * 0.09, 0, 0, 2 * Math.PI);
  context.fill();
  context.beginPath();
  context.roundRect(x + width * 0.24, y + height * 0.2, width * 0.52, height * 0.78, width * 0.24);
  context.fill();
}

/** @param {import('./scenes.js').Sighting} sighting */
function drawBox(canvas, context, { id, x, y, width, height }) {
  context.strokeStyle = colour(canvas, '--stage-box');
  context.lineWidth = 1.5;
  context.strokeRect(x, y, width, height);
  context.font = '600 12px system-ui, sans-serif';
  const label = id.replace(/\D+/, '');
  const room = context.measureText(label).width + 8;
  context.fillStyle = colour(canvas, '--stage-box');
  context.fillRect(x, y - 16, room, 16);
  context.fillStyle = colour(canvas, '--stage');
  context.fillText(label, x + 4, y - 4);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import('./scenes.js').Scene} scene
 * @param {number} frame
 */
export function draw(canvas, scene, frame) {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const scale = canvas.width / picture.width;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  drawBackground(canvas, context, scene.look);
  // Who stands further down stands nearer.
  const sightings = scene.at(frame).toSorted((left, right) => left.y + left.height - right.y - right.height);
  for (const sighting of sightings) {
    if (scene.look === 'roses') drawRose(context, sighting);
    else drawFigure(context, sighting);
    drawBox(canvas, context, sighting);
  }
}
